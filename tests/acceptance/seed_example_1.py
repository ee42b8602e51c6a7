import asyncio
from agentopic.agentchat.agents import AssistantAgent
from agentopic.ext.models.openai import OpenAIChatCompletionClient

async def minimal_example():
    # 创建模型客户端
    model_client = OpenAIChatCompletionClient(model="gpt-4")
    
    # 创建助手代理
    agent = AssistantAgent("assistant", model_client=model_client)
    
    # 执行任务
    response = await agent.run(task="解释什么是多代理系统")
    print(response)
    
    await model_client.close()

# 运行示例
asyncio.run(minimal_example())
